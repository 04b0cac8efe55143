/** An appender for Logback. */
@NullMarked
package com.datanadhi.sdk.logback;

import org.jspecify.annotations.NullMarked;
