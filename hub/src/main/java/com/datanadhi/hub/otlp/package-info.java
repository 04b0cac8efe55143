@NullMarked
package com.datanadhi.hub.otlp;

import org.jspecify.annotations.NullMarked;
