"""The API server: reading by watches, writing by server-side apply. Nothing else imports the Kubernetes client."""
