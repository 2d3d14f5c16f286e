"""What people read: the message catalogues, the lookup of texts, and the renderers for a terminal."""
