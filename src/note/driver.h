/*
 * note/driver.h: driver/driver.py, inside the program (tools/embed --text).
 */
#ifndef LEAT_NOTE_DRIVER_H
#define LEAT_NOTE_DRIVER_H

extern const char note_driver[];

#endif
