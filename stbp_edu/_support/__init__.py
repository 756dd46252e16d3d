"""What every room uses: checks of arguments, files, sizes of networks, and the equations."""
