"""Make params.yaml small, so that the whole pipeline runs in a minute; it keeps its comments."""

import re
from pathlib import Path

SMALL = {"replicates": 2, "repeats": 1, "models": 2, "epochs": 2, "steps": 200, "resamples": 200}

if __name__ == "__main__":
    path = Path("params.yaml")
    text = path.read_text(encoding="utf-8")
    for key, value in SMALL.items():
        text, count = re.subn(rf"(?m)^( *{key}: )\S+", rf"\g<1>{value}", text)
        assert count == 1, f"{key} stands {count} times in {path}"
    path.write_text(text, encoding="utf-8")
