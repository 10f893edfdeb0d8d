from benchmarks.parts.setup import count_packages


def test_packages_of_a_lock_are_counted_without_hashes_and_comments():
    lock = "# pins\nabsl-py==2.5.1 \\\n    --hash=sha256:28==6e\nmoto[server]==5.1.0 ; os_name == 'nt'\nzc.lock==4.0\n"
    assert count_packages(lock) == 3
