"""Renders templates to Markdown and Markdown to HTML, and lists where numbers and figures come from."""
