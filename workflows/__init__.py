"""When things happen and in which order: durable processes, and what surrounds them."""
