package com.datanadhi.sdk;

/**
 * What became of the files in {@code dropped/}.
 *
 * @param delivered records that a server or EchoPost has acknowledged
 * @param kept records that are still in files: no way was open, or they were refused again
 * @param unreadable lines that are no record; they are kept as they are
 */
public record Redelivery(int delivered, int kept, int unreadable) {}
