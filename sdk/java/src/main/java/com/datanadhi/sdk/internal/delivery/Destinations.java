package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.ServerHealth;

/** All the places where a record can be delivered or kept. */
public record Destinations(
    MainServerSender mainServer,
    ServerHealth mainServerHealth,
    EchoPost echoPost,
    FallbackServer fallbackServer,
    ServerHealth fallbackServerHealth,
    DroppedFiles droppedFiles) {}
