package com.datanadhi.sdk;

/** A setting that cannot be used. The message names where it stands, its key and its value. */
public final class ConfigurationException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Says what is wrong, and how to mend it. */
  public ConfigurationException(String message) {
    super(message);
  }
}
