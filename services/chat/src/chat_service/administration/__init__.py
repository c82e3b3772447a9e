"""Administration: all open rooms, whoever owns them; never what is said in them."""
