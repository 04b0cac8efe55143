package com.datanadhi.sdk.internal.json;

import org.jspecify.annotations.Nullable;

/**
 * Stands in a payload for a value that could not be read: the encoder writes a text in its place,
 * and counts it.
 *
 * @param value the object whose method has thrown
 * @param failure what it has thrown
 */
public record Unreadable(@Nullable Object value, Throwable failure) {
  /**
   * For a failure of the value.
   *
   * @throws VirtualMachineError if the failure is one, except a stack overflow, which is most
   *     likely due to the value
   */
  public static Unreadable of(@Nullable Object value, Throwable failure) {
    if (failure instanceof VirtualMachineError fatal && !(failure instanceof StackOverflowError)) {
      throw fatal;
    }
    return new Unreadable(value, failure);
  }

  /** The text in place of the value. */
  @Override
  public String toString() {
    return "(%s could not be encoded: %s)"
        .formatted(
            value == null ? "null" : value.getClass().getName(), failure.getClass().getName());
  }
}
