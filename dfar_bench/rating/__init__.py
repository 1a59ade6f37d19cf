"""People as raters: draw responses onto a sheet, read ratings, measure agreement, test judges against people."""
