"""What every stage uses: parameters, files, process, progress."""
