"""Makes the studies' page. Each section of studies/params.yaml has a section on the page, made from files of its name:

NAME.py          `facts(found, p, study)` returns what the section prints, and `says`, which chooses its sentences.
                 `found` has the studies' results by file name, `p` and `study` are the two files of parameters.
NAME.en.md.j2    its text in English; each language has such a file
"""
