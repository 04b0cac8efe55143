package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.Health;
import com.datanadhi.sdk.internal.http.MainServer;
import com.datanadhi.sdk.internal.thread.Notices;

/** Everywhere that a record can go. */
public record World(
    MainServer main,
    Health mainHealth,
    EchoPost echoPost,
    FallbackServer fallback,
    Health fallbackHealth,
    DroppedFiles files,
    Notices notices) {}
