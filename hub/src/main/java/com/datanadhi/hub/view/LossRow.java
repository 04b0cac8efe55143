package com.datanadhi.hub.view;

/// A row of `losses`: a range of offsets that are lost, both ends included.
public record LossRow(String stream, long first, long last, String reason) {}
