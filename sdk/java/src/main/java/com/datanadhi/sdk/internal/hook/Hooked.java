package com.datanadhi.sdk.internal.hook;

import com.datanadhi.sdk.BeforeSend;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.json.JsonDecoder;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What remains of a payload after the application's hook. Thread-safe.
 *
 * @param payload empty if the hook dropped the record
 * @param failure why the payload was withheld, for people; empty if it was not
 */
public record Hooked(Optional<EncodedPayload> payload, String failure) {
  /** The thread runs a hook: what that submits would run it again, without an end. */
  private static final ThreadLocal<Boolean> RUNNING = new ThreadLocal<>();

  /**
   * Runs the hook.
   *
   * @param maxBytes the limit of the payload that the hook returns
   */
  public static Hooked run(
      BeforeSend hook, List<String> pipelines, EncodedPayload payload, int maxBytes) {
    if (RUNNING.get() != null) {
      return new Hooked(Optional.empty(), "");
    }
    RUNNING.set(true);
    try {
      @Nullable Map<String, ?> returned =
          hook.beforeSend(List.copyOf(pipelines), asObject(JsonDecoder.decode(payload.json())));
      if (returned == null) {
        return new Hooked(Optional.empty(), "");
      }
      EncodedPayload encoded = JsonEncoder.encode(returned, maxBytes);
      return new Hooked(
          Optional.of(
              new EncodedPayload(
                  encoded.json(),
                  payload.replacedValues() + encoded.replacedValues(),
                  payload.truncated() || encoded.truncated())),
          "");
    } catch (RuntimeException | Error failed) {
      if (failed instanceof VirtualMachineError fatal && !(failed instanceof StackOverflowError)) {
        throw fatal;
      }
      return withheld(hook, failed);
    } finally {
      RUNNING.remove();
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> asObject(@Nullable Object decoded) {
    if (decoded instanceof Map<?, ?> object) {
      return (Map<String, Object>) object;
    }
    Map<String, @Nullable Object> around = new LinkedHashMap<>();
    around.put("payload", decoded);
    return (Map<String, Object>) (Map<String, ?>) around;
  }

  /** The exception's message is not used: it can contain what the hook would have removed. */
  private static Hooked withheld(BeforeSend hook, Throwable failed) {
    String failure =
        "The BeforeSend hook %s has failed with %s: the content of the record is withheld"
            .formatted(hook.getClass().getName(), failed.getClass().getName());
    String json = JsonEncoder.encode(Map.of("message", failure));
    return new Hooked(Optional.of(new EncodedPayload(json, 0, false)), failure);
  }
}
