package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.MainServer;
import com.datanadhi.sdk.internal.http.ServerHealth;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;

/** Everywhere that a record can go. */
public record Destinations(
    MainServer main,
    ServerHealth mainHealth,
    EchoPost echoPost,
    FallbackServer fallback,
    ServerHealth fallbackHealth,
    DroppedFiles files,
    RateLimitedLog notices) {}
