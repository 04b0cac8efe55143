package com.datanadhi.echopost.time;

import com.datanadhi.testkit.ManualTime;

/// The agent's clock in tests. Thread-safe.
public final class ManualClock extends ManualTime implements Clock {}
