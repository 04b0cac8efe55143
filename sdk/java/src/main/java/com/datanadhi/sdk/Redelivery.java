package com.datanadhi.sdk;

/**
 * The result of {@link DataNadhi#redeliver}.
 *
 * @param delivered records that a server acknowledged or EchoPost stored
 * @param kept records that are still in files, because no destination was available or because they
 *     were rejected again
 * @param unreadable lines that are not records; they stay in the files unchanged
 */
public record Redelivery(int delivered, int kept, int unreadable) {}
