/** An appender for Log4j 2. */
@NullMarked
package com.datanadhi.sdk.log4j;

import org.jspecify.annotations.NullMarked;
