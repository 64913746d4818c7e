package sun.awt;

import java.awt.Component;
import java.awt.Dialog;
import java.awt.Dimension;
import java.awt.EventQueue;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Frame;
import java.awt.GraphicsConfiguration;
import java.awt.GraphicsDevice;
import java.awt.GraphicsEnvironment;
import java.awt.Image;
import java.awt.PrintJob;
import java.awt.Rectangle;
import java.awt.Toolkit;
import java.awt.Window;
import java.awt.datatransfer.Clipboard;
import java.awt.font.TextAttribute;
import java.awt.geom.AffineTransform;
import java.awt.im.InputMethodHighlight;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ImageObserver;
import java.awt.image.ImageProducer;
import java.awt.peer.KeyboardFocusManagerPeer;
import java.net.URL;
import java.util.Map;
import java.util.Properties;
import sun.java2d.SunGraphicsEnvironment;

/** A screen that nobody sees, for ImageJ, whose ROI manager and dialogs are windows even where none is shown. Windows
 *  can be made with it, but not opened. Java takes it with --patch-module java.desktop=FOLDER. */
public final class PlatformGraphicsInfo {
    public static GraphicsEnvironment createGE() { return new Environment(); }
    public static Toolkit createToolkit() { return new Kit(); }
    public static boolean getDefaultHeadlessProperty() { return false; }
    public static String getDefaultHeadlessMessage() { return ""; }

    private static final class Environment extends SunGraphicsEnvironment {
        protected int getNumScreens() { return 1; }
        protected GraphicsDevice makeScreenDevice(int number) { return new Device(); }
        public boolean isDisplayLocal() { return true; }
    }

    private static final class Device extends GraphicsDevice {
        public int getType() { return TYPE_RASTER_SCREEN; }
        public String getIDstring() { return "unseen"; }
        public GraphicsConfiguration[] getConfigurations() {
            return new GraphicsConfiguration[] {getDefaultConfiguration()};
        }
        public GraphicsConfiguration getDefaultConfiguration() { return new Configuration(this); }
    }

    private static final class Configuration extends GraphicsConfiguration {
        private final Device device;
        Configuration(Device device) { this.device = device; }
        public GraphicsDevice getDevice() { return device; }
        public ColorModel getColorModel() { return ColorModel.getRGBdefault(); }
        public ColorModel getColorModel(int transparency) { return ColorModel.getRGBdefault(); }
        public AffineTransform getDefaultTransform() { return new AffineTransform(); }
        public AffineTransform getNormalizingTransform() { return new AffineTransform(); }
        public Rectangle getBounds() { return new Rectangle(1600, 1000); }
    }

    private static final class Kit extends Toolkit implements KeyboardFocusManagerPeerProvider {
        private final EventQueue queue = new EventQueue();
        public Dimension getScreenSize() { return new Dimension(1600, 1000); }
        public int getScreenResolution() { return 96; }
        public ColorModel getColorModel() { return ColorModel.getRGBdefault(); }
        @Deprecated public String[] getFontList() { return new String[0]; }
        @Deprecated public FontMetrics getFontMetrics(Font font) {
            return new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics().getFontMetrics(font);
        }
        public void sync() {}
        public void beep() {}
        public Image getImage(String name) { return null; }
        public Image getImage(URL url) { return null; }
        public Image createImage(String name) { return null; }
        public Image createImage(URL url) { return null; }
        public Image createImage(ImageProducer producer) { return null; }
        public Image createImage(byte[] data, int offset, int length) { return null; }
        public boolean prepareImage(Image image, int width, int height, ImageObserver observer) { return true; }
        public int checkImage(Image image, int width, int height, ImageObserver observer) {
            return ImageObserver.ALLBITS;
        }
        public PrintJob getPrintJob(Frame frame, String title, Properties properties) { return null; }
        public Clipboard getSystemClipboard() { return new Clipboard("unseen"); }
        protected EventQueue getSystemEventQueueImpl() { return queue; }
        public boolean isModalityTypeSupported(Dialog.ModalityType type) { return true; }
        public boolean isModalExclusionTypeSupported(Dialog.ModalExclusionType type) { return true; }
        public Map<TextAttribute, ?> mapInputMethodHighlight(InputMethodHighlight highlight) { return null; }
        public KeyboardFocusManagerPeer getKeyboardFocusManagerPeer() { return new Focus(); }
    }

    private static final class Focus implements KeyboardFocusManagerPeer {
        public void setCurrentFocusedWindow(Window window) {}
        public Window getCurrentFocusedWindow() { return null; }
        public void setCurrentFocusOwner(Component owner) {}
        public Component getCurrentFocusOwner() { return null; }
        public void clearGlobalFocusOwner(Window window) {}
    }
}
