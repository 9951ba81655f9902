"""The artifact on the node: from a container's image to the bytes that run; no annotation is believed."""
