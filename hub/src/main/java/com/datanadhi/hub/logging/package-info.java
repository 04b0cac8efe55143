@NullMarked
package com.datanadhi.hub.logging;

import org.jspecify.annotations.NullMarked;
