"""Where an app's artifact comes from: resolving, verifying and remembering, so that what is known is not asked again.

Uses `wherry.oci`, in threads, because its transfers block; knows neither kopf nor the Kubernetes client.
"""
