/**
 * Delivers log records to Data Nadhi: {@link com.datanadhi.sdk.DataNadhi} is the client. Null is
 * only allowed where a type has {@code @Nullable}, here and in the packages of the handlers.
 */
@NullMarked
package com.datanadhi.sdk;

import org.jspecify.annotations.NullMarked;
