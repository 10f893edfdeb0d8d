"""The page to play with: its words, its template, and the networks and the drawing in JavaScript."""
