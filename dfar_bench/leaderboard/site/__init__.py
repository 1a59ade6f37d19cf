"""The board: verified submissions as a folder of plain pages that open from disk, with nothing from elsewhere."""
