package com.datanadhi.sdk.internal.hook;

import com.datanadhi.sdk.BeforeSend;
import com.datanadhi.sdk.internal.logging.StandardError;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes hooks from the names of their classes. Thread-safe. */
public final class NamedHook {
  private NamedHook() {}

  /**
   * An object of the class, or none for an empty name. If it cannot be made, a line on {@link
   * System#err} says so, and the hook fails for every record, since nothing may be delivered that
   * was to be redacted.
   */
  public static Optional<BeforeSend> of(String className) {
    if (className.isBlank()) {
      return Optional.empty();
    }
    try {
      Class<?> type = load(className.strip());
      return Optional.of((BeforeSend) type.getDeclaredConstructor().newInstance());
    } catch (ReflectiveOperationException | ClassCastException | LinkageError unusable) {
      StandardError.print(
          ("beforeSend: %s cannot be used (%s): the content of all records is withheld. Name a"
                  + " public class that implements com.datanadhi.sdk.BeforeSend and has a public"
                  + " constructor without parameters")
              .formatted(className, unusable));
      return Optional.of(new Unusable());
    }
  }

  /** As the application sees it; else, on a thread without its class loader, as the SDK does. */
  private static Class<?> load(String name) throws ClassNotFoundException {
    ClassLoader ofThread = Thread.currentThread().getContextClassLoader();
    if (ofThread != null) {
      try {
        return Class.forName(name, true, ofThread);
      } catch (ClassNotFoundException notThere) {
        // The next one is tried.
      }
    }
    return Class.forName(name, true, NamedHook.class.getClassLoader());
  }

  private static final class Unusable implements BeforeSend {
    @Override
    public @Nullable Map<String, ?> beforeSend(
        List<String> pipelines, Map<String, Object> payload) {
      throw new IllegalStateException("the hook could not be made");
    }
  }
}
