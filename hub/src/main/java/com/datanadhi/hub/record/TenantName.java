package com.datanadhi.hub.record;

import java.util.regex.Pattern;

/// The rule for names of tenants. It makes them safe as names of directories.
public final class TenantName {
  /// The name under which the control stream is stored like a tenant. No tenant can have it.
  public static final String CONTROL = "_control";

  private static final Pattern FORM = Pattern.compile("[a-z0-9][a-z0-9_-]{0,63}");

  private TenantName() {}

  public static boolean isValid(String name) {
    return FORM.matcher(name).matches();
  }
}
