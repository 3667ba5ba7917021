"""The desk: a read model of the public topics, and pages in a browser on which people work cases."""
