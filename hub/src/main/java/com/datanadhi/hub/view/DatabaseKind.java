package com.datanadhi.hub.view;

/// The two databases of a tenant.
enum DatabaseKind {
  CANONICAL("canonical"),
  MAILBOX("mailbox");

  private final String text;

  DatabaseKind(String text) {
    this.text = text;
  }

  String fileName() {
    return text + ".db";
  }

  /// The name of its schema files before their number.
  String schemaName() {
    return text;
  }
}
