"""The programs that build guests, each fetched once from a package registry into a cache outside the tree."""
