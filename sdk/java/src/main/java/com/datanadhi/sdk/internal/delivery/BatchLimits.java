package com.datanadhi.sdk.internal.delivery;

import java.time.Duration;

/**
 * The bounds of a batch to the main server.
 *
 * @param records the most records; 1 means that no batches are sent
 * @param bytes the most bytes before compression; a larger record is sent by itself
 * @param delay how long a record waits for others
 */
public record BatchLimits(int records, int bytes, Duration delay) {}
