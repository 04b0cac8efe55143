package com.datanadhi.hub.record;

/// The rule for names of tenants. It makes them safe as names of directories.
public final class TenantName {
  /// The name under which the control stream is stored like a tenant. No tenant can have it.
  public static final String CONTROL = "_control";

  private static final int MAX_LENGTH = 64;

  private TenantName() {}

  /// Whether it is `[a-z0-9][a-z0-9_-]{0,63}`. Called for each log record that is applied, so it is
  /// not a regular expression.
  public static boolean isValid(String name) {
    if (name.isEmpty() || name.length() > MAX_LENGTH) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!first && (i == 0 || (c != '_' && c != '-'))) {
        return false;
      }
    }
    return true;
  }
}
