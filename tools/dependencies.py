"""Write the code that each stage imports into the `deps` of dvc.yaml and studies/dvc.yaml: `make deps`.

Other files that a stage reads, and its parameters, are written there by hand; they stay.
"""

from pathlib import Path

from ruamel.yaml import YAML

from stages.common.surroundings import NUMERIC_LOCK, OURS, PIPELINES, code_dependencies

WITHOUT_LOCK = {"download"}  # it computes nothing, so new packages cannot change its outputs


def main() -> None:
    """Rewrite both dvc.yaml; comments and the order of keys stay."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 200
    for package, name in PIPELINES.items():
        path = Path(name)
        pipeline = yaml.load(path)
        for stage, entry in pipeline["stages"].items():
            lock = [] if stage in WITHOUT_LOCK else [NUMERIC_LOCK.name]
            entry["deps"] = [*code_dependencies(f"{package}.{stage}"), *lock, *by_hand(entry["deps"])]
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(pipeline, file)


def by_hand(deps: list[str]) -> list[str]:
    """The dependencies of a stage that are written by hand: data, and files of our packages that are not modules."""
    return [
        path
        for path in deps
        if path != NUMERIC_LOCK.name
        and not (path.split("/")[0] in OURS and (path.endswith(".py") or not Path(path).is_file()))
    ]


if __name__ == "__main__":
    main()
