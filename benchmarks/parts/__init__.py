"""The parts of the speed table: each module has a title and the function `measure`.

`measure(quick)` returns paragraphs and tables; `quick` asks for a trial with tiny settings.
"""
