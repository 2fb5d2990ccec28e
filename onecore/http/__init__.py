"""The REST edge that both servers share: operations as values, and what lets them be asked over HTTP."""
