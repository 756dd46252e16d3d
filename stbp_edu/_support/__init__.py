"""What every room uses: checks, files, sizes of networks and their linear maps, the equations."""
