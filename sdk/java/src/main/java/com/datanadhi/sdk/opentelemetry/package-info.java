/** An exporter for the log records of OpenTelemetry's SDK. */
@NullMarked
package com.datanadhi.sdk.opentelemetry;

import org.jspecify.annotations.NullMarked;
