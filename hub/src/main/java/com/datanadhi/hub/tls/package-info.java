@NullMarked
package com.datanadhi.hub.tls;

import org.jspecify.annotations.NullMarked;
