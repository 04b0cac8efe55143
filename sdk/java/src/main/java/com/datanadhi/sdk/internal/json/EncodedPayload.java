package com.datanadhi.sdk.internal.json;

/**
 * A payload as JSON on one line.
 *
 * @param json the JSON
 * @param replacedValues values that could not be encoded, each replaced by a text
 * @param truncated whether the payload was larger than its limit, so that parts are missing
 */
public record EncodedPayload(String json, int replacedValues, boolean truncated) {}
