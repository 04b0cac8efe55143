package com.datanadhi.hub.http;

import com.datanadhi.hub.control.ApiKeys;

/// What stands behind the door.
public record Services(
    ApiKeys apiKeys,
    Appender appender,
    MemoryBound memory,
    RecordSource records,
    HealthSource health,
    MetricsSource metrics,
    RequestListener listener) {}
