package com.datanadhi.sdk;

/**
 * A setting is missing or invalid. The message names the source of the setting (file or environment
 * variable), its key and its value; the API key is never in it.
 */
public final class ConfigurationException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Makes the exception; the message states what is wrong and how to fix it. */
  public ConfigurationException(String message) {
    super(message);
  }
}
