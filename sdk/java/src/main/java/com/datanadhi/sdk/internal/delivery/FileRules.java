package com.datanadhi.sdk.internal.delivery;

import java.time.Duration;

/**
 * What happens to dropped files.
 *
 * @param redeliver whether their records are sent again without being asked
 * @param maxAge the age at which they are deleted
 */
public record FileRules(boolean redeliver, Duration maxAge) {}
