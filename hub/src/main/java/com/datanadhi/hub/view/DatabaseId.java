package com.datanadhi.hub.view;

/// Names a database.
record DatabaseId(String tenant, DatabaseKind kind) {}
