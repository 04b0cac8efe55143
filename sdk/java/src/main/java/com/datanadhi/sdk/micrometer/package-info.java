/** Metrics for Micrometer. */
@NullMarked
package com.datanadhi.sdk.micrometer;

import org.jspecify.annotations.NullMarked;
