"""Makes figures, texts and pages, with words in each language. It uses no network.

Each stage that draws or writes has a directory with its figures or templates and their words. So a change of a word in
one stage's figure makes only that stage run again.
"""
