package com.datanadhi.sdk;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The application's last look at a record, before anything stores it: it can change, redact, add to
 * or drop the record. Set with {@link DataNadhiConfiguration.Builder#beforeSend}, or in the
 * configuration of an appender by the name of a class, which then needs a public constructor
 * without parameters. Called by all threads that submit records or log, so it must be thread-safe.
 *
 * <p>It runs on the thread of {@link DataNadhi#submit}, or on the one that passes an event to the
 * appender, which waits for it. With it a record is encoded, read and encoded again, so that {@code
 * submit} takes about four times as long.
 *
 * <p>If it throws, or what it returns cannot be read, nothing of the record is delivered, since it
 * may contain what was to be redacted: a record takes its place whose {@code message} names the
 * hook and the exception's class. That is counted as {@link Counters#withheld} and logged. An error
 * of the virtual machine, other than a StackOverflowError, reaches the caller. Records that the
 * hook itself submits or logs on its thread are dropped, and counted as {@link Counters#filtered}.
 */
@FunctionalInterface
public interface BeforeSend {
  /**
   * Returns what to deliver in place of the record.
   *
   * @param pipelines the names of the pipelines; unmodifiable
   * @param payload what would be delivered, as the JSON that it is: {@code Map<String, Object>},
   *     {@code List<Object>}, {@code String}, {@code Long}, {@code BigDecimal}, {@code Boolean} and
   *     null. The maps and lists are copies that can be modified. The payload of an event is the
   *     same as that which the main server gets, with its message at {@code message}, for example.
   *     A payload of {@link DataNadhi#submitJson} that is no object is the member {@code payload}
   *     of one
   * @return the payload, modified or not, or another one; null to drop the record, which is counted
   *     as {@link Counters#filtered}
   */
  @Nullable Map<String, ?> beforeSend(List<String> pipelines, Map<String, Object> payload);
}
