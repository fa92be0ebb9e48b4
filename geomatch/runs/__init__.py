"""A big file partition by partition, and the folders that runs leave."""
