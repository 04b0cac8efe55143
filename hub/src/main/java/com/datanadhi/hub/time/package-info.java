@NullMarked
package com.datanadhi.hub.time;

import org.jspecify.annotations.NullMarked;
